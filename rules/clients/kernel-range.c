/* A range of kernel mappings is taken down, then its addresses are handed out again. */
void client(struct vmap_area *va, unsigned long start, unsigned long end)
{
	vunmap_range(start, end);
	free_vmap_area(va);
}
