import { z } from 'zod';

/** Others, such as `temporal:8233`, have no origin of their own: a browser calls it `null`, as it does that of many pages. */
const webPage = z.url({ protocol: /^https?$/ });

const schema = z.object({
  API_HOST: z.string().min(1).default('127.0.0.1'),
  API_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  KUBECONFIG: z.string().optional(),
  /** Where the API server calls the admission webhooks, such as `https://image-api.edge-system.svc:9443`. Default: no webhooks. */
  WEBHOOK_URL: z.url({ protocol: /^https$/ }).optional(),
  TEMPORAL_ADDRESS: z.string().min(1).default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_CODEC_KEYS: z.string().optional(),
  TEMPORAL_UI: webPage.optional(),
  /** Origin of Temporal's UI where it is another than that of `TEMPORAL_UI`. */
  CODEC_ORIGIN: webPage.optional(),
  S3_ENDPOINT: z.url().optional(),
  S3_ALLOW_HTTP: z.enum(['true', 'false']).default('false'),
  S3_REGION: z.string().min(1).default('us-east-1'),
  S3_BUCKET: z.string().min(1),
  AUDIT_STREAM: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('api'),
  AUDIT_SIGNING_KEY_FILE: z.string().optional(),
  AUDIT_SPOOL_DIR: z.string().optional(),
  AUDIT_RETENTION_DAYS: z.coerce.number().int().min(1).optional(),
  AUDIT_CHECKPOINT_BUCKET: z.string().optional(),
  API_RATE_PER_SECOND: z.coerce.number().positive().default(200),
  API_RATE_BURST: z.coerce.number().positive().default(1000),
  /** Modules with registry adapters, see docs/plugins.md. Default: none. */
  IMAGEFERRY_PLUGINS: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** The API's settings, all from the environment; see docs/api.md. */
export type ApiSettings = z.output<typeof schema>;

/** Parses the environment. Throws an error that names each variable that is wrong and never shows its value. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): ApiSettings {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const result = schema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`wrong settings: ${wrong.join('; ')}`);
}
