import { z } from 'zod';
import { asFailure, Failure, isFailureCode } from '../../../domain/failure.ts';
import { printable } from '../../../domain/names/digest.ts';
import type { VerifyOutcome } from '../../copy/engine.ts';
import { verifyOci } from '../adapters/oci.ts';
import type { ProviderAdapter, VerifyContext } from '../adapters/provider.ts';
import type { PluginCall, PluginContext, PluginProvider } from './contract.ts';

/** Milliseconds that a plug-in may take for one check. */
const patienceMs = 30_000;

const outcomeSchema = z.object({
  capabilities: z
    .array(
      z.object({
        scope: z.string().max(300),
        actions: z.array(z.enum(['pull', 'push', 'delete', 'list'])),
      }),
    )
    .max(100),
  pullQuota: z
    .object({ remaining: z.int().min(0), limit: z.int().min(0), windowSeconds: z.int().min(1) })
    .exactOptional(),
  expires: z.iso.datetime({ offset: true }).exactOptional(),
}) satisfies z.ZodType<VerifyOutcome>;

/** A plug-in's provider as an adapter of ours: bounded in time, and believed in nothing but what is well formed. */
export function pluginAdapter(provider: PluginProvider, patience = patienceMs): ProviderAdapter {
  return {
    name: provider.name,
    async verify(context) {
      const told = await inTime(provider, context, patience);
      const outcome = outcomeSchema.safeParse(told);
      if (outcome.success) return outcome.data;
      const where = outcome.error.issues[0]?.path.join('.') ?? '';
      throw pluginFailed(provider.name, `what it found is malformed at «${where}»`);
    },
  };
}

async function inTime(
  { name, verify }: PluginProvider,
  context: VerifyContext,
  patience: number,
): Promise<unknown> {
  const late = AbortSignal.timeout(patience);
  const signal = context.signal === undefined ? late : AbortSignal.any([late, context.signal]);
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const work = async (): Promise<unknown> => verify(contextOf(name, { ...context, signal }));
  try {
    return await Promise.race([work(), ended]);
  } catch (error) {
    if (late.aborted) throw pluginFailed(name, `no answer within ${patience / 1000} s`);
    if (error instanceof Failure || context.signal?.aborted === true) throw asFailure(error);
    // Its own words may hold anything: only what kind of error it was is told.
    throw pluginFailed(name, error instanceof Error ? printable(error.name) : 'it threw no error');
  }
}

function contextOf(plugin: string, context: VerifyContext & { readonly signal: AbortSignal }): PluginContext {
  const { domain, provider, credential } = context.access;
  return {
    registry: { domain, provider, username: credential?.username ?? '' },
    paths: context.paths,
    signal: context.signal,
    standard: () => verifyOci(context),
    request: async (call) => {
      const { status, body, ...answer } = await request(context, plugin, call);
      return {
        status,
        header: (name) => headerOf(answer.headers, name),
        text: Buffer.from(body).toString('utf8'),
      };
    },
    fail: (code, detail) => {
      const known = isFailureCode(code) ? code : 'PluginFailed';
      throw new Failure(known, { side: 'source', subject: domain, detail: printable(detail).slice(0, 300) });
    },
  };
}

function request(
  context: VerifyContext & { readonly signal: AbortSignal },
  plugin: string,
  call: PluginCall,
) {
  const { method = 'GET', path, scope } = call;
  if (!['GET', 'HEAD'].includes(method) || !/^\/(?![/\\])/.test(path))
    throw pluginFailed(plugin, 'it asks for something other than a path of the registry');
  return context.session.call({
    method,
    url: path,
    about: { side: 'source', subject: context.access.domain },
    accept: clientErrors,
    signal: context.signal,
    ...(scope === undefined ? {} : { scope }),
  });
}

/** Answers that say something about what was asked for; 401 and 403 say something about the credential and are thrown. */
const clientErrors: readonly number[] = Array.from({ length: 100 }, (_, index) => 400 + index).filter(
  (status) => ![401, 403, 408, 429].includes(status),
);

function headerOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'object' ? value[0] : value;
}

const pluginFailed = (name: string, detail: string): Failure =>
  new Failure('PluginFailed', { side: 'source', subject: `plug-in ${name}`, detail });
