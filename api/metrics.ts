import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The API's own measurements. Labels are route patterns, never paths, so that no name of a tenant's gets out (P21). */
export class ApiMetrics {
  readonly registry = new Registry();
  readonly #seconds: Histogram<'method' | 'route' | 'code'>;
  readonly #failures: Counter<'route' | 'reason'>;

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'imageferry_api_' });
    this.#seconds = new Histogram({
      name: 'imageferry_api_request_duration_seconds',
      help: 'Time from the first byte in to the answer',
      labelNames: ['method', 'route', 'code'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
      registers: [this.registry],
    });
    this.#failures = new Counter({
      name: 'imageferry_api_failures_total',
      help: 'Calls that were answered with a Status, by code',
      labelNames: ['route', 'reason'],
      registers: [this.registry],
    });
  }

  /** Shows for how long no worker was heard of: what an alert on a stopped controller looks at. */
  watchWorkers(silenceMs: () => number): void {
    const silence: Gauge = new Gauge({
      name: 'imageferry_worker_silence_seconds',
      help: 'Time since a worker last said that it lives',
      registers: [],
      collect(): void {
        this.set(silenceMs() / 1000);
      },
    });
    this.registry.registerMetric(silence);
  }

  /** Counts one answered call. */
  observe(
    call: { readonly method: string; readonly route: string; readonly status: number },
    seconds: number,
  ): void {
    this.#seconds.observe({ method: call.method, route: call.route, code: String(call.status) }, seconds);
    if (call.status >= 400) this.#failures.inc({ route: call.route, reason: String(call.status) });
  }
}
