/* Both CPUs are online and run mm; nobody runs on the kernel's own tables. */
static void start_both(struct mm_struct *mm)
{
	cpumask_clear(mm_cpumask(mm));
	cpumask_set_cpu(0, mm_cpumask(mm));
	cpumask_set_cpu(1, mm_cpumask(mm));
	cpumask_clear(mm_cpumask(&init_mm));
	cpumask_clear(cpu_online_mask);
	cpumask_set_cpu(0, cpu_online_mask);
	cpumask_set_cpu(1, cpu_online_mask);
	client_cpu0_loads(mm);
	client_cpu1_loads(mm);
}
