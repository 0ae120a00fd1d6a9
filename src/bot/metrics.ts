/** What an operator watches, in the format of Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly webhooks: Counter<'event' | 'outcome'>;
  readonly webhookSeconds: Histogram;
  readonly jobs: Counter<'outcome'>;
  readonly jobSeconds: Histogram;
  readonly queue: Gauge<'state'>;
  readonly requests: Counter<'method' | 'status'>;
  readonly rateLimited: Counter;
  readonly findings: Counter<'hazard'>;
  readonly sweeps: Counter<'kind' | 'outcome'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'shootdown_' });
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name: `shootdown_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = (name: string, help: string, buckets: readonly number[]): Histogram =>
    new Histogram({ name: `shootdown_${name}`, help, buckets: [...buckets], registers });
  return {
    registry,
    webhooks: counter('webhooks_total', 'Webhook deliveries', ['event', 'outcome']),
    webhookSeconds: histogram(
      'webhook_seconds',
      'From delivery to answer',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10],
    ),
    jobs: counter('jobs_total', 'Jobs by how they ended', ['outcome']),
    jobSeconds: histogram(
      'job_seconds',
      'From the start of a job to its end',
      [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
    ),
    queue: new Gauge({
      name: 'shootdown_queue_jobs',
      help: 'Jobs in the queue by state',
      labelNames: ['state'],
      registers,
    }),
    requests: counter('github_requests_total', 'Answers of GitHub', ['method', 'status']),
    rateLimited: counter('github_rate_limited_total', 'Answers of GitHub that ask to wait', []),
    findings: counter('findings_total', 'Findings posted, by hazard', ['hazard']),
    sweeps: counter('sweeps_total', 'Sweeps for open work and failed deliveries', ['kind', 'outcome']),
  };
}
