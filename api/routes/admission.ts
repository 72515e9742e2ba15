import { someNames } from '../../domain/some-names.ts';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { passwordVerdict } from '../../domain/admission/password.ts';
import { pullSecretPatch } from '../../domain/admission/pod-credentials.ts';
import { admissionAnswer, admitted, type AdmissionVerdict } from '../../domain/admission/review.ts';
import { usersOf } from '../../domain/api/registry-use.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { forceDeleteAnnotation, type RegistrySecret } from '../../domain/resources/registry-secret.ts';
import { auditedKinds, type AdmissionAudit, type ReviewedChange } from '../admission-audit.ts';
import type { CredentialStore, ResourceCache, ResourceClients } from '../../infra/kubernetes/cluster.ts';

/** The API server sends objects of up to 3 MiB, twice for an update. */
const maxBody = 8 * 1024 * 1024;

export interface AdmissionDependencies {
  readonly credentials: CredentialStore;
  /** Asked for what a cache may not show yet. */
  readonly clients: ResourceClients;
  readonly registrySecrets: ResourceCache<'registrysecrets'>;
  readonly repositories: ResourceCache<'repositories'>;
  readonly audit: Pick<AdmissionAudit, 'review' | 'refused'>;
  /** Name of the Secret that holds a RegistrySecret's credential. */
  readonly secretName: (registrySecret: string) => string;
}

const reviewSchema = z.object({
  request: z.object({
    uid: z.string().min(1).max(100),
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    namespace: z.string().max(63).default(''),
    name: z.string().max(253).default(''),
    dryRun: z.boolean().nullish(),
    userInfo: z.object({ username: z.string().default(''), uid: z.string().default('') }).prefault({}),
    resource: z.object({ resource: z.string() }).prefault({ resource: '' }),
    object: z.unknown(),
    oldObject: z.unknown(),
  }),
});
const changedSchema = z.looseObject({
  metadata: z.object({
    name: z.string().default(''),
    namespace: z.string().exactOptional(),
    uid: z.string().exactOptional(),
    annotations: z.record(z.string(), z.string()).exactOptional(),
    labels: z.record(z.string(), z.string()).exactOptional(),
  }),
  spec: z.looseObject({}).exactOptional(),
});
type Request = z.output<typeof reviewSchema>['request'];

const metadataSchema = z.object({
  name: z.string().default(''),
  uid: z.string().exactOptional(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
const secretSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ domain: z.string(), username: z.string(), password: z.string(), provider: z.string() }),
});
const containers = z.array(z.object({ image: z.string().default('') })).nullish();
const podSchema = z.object({
  spec: z.object({
    containers,
    initContainers: containers,
    imagePullSecrets: z.array(z.object({ name: z.string().default('') })).nullish(),
  }),
});

/**
 * The admission webhooks, for the API server alone: `/admission/registrysecrets` hides passwords before they are stored
 * and refuses deletion of what is in use, `/admission/pods` hands in pull credentials, `/admission/changes` audits what
 * people do without the API. A review that cannot be read is
 * answered 400, which the `failurePolicy` of the configuration turns into "as if there were no webhook".
 */
export function admissionWebhooks(deps: AdmissionDependencies): Hono {
  const app = new Hono();
  app.use(bodyLimit({ maxSize: maxBody }));
  const answer = (
    path: string,
    decide: (request: Request) => AdmissionVerdict | Promise<AdmissionVerdict>,
  ): void => {
    app.post(path, async (context) => {
      const review = reviewSchema.safeParse(await context.req.json());
      if (!review.success) return context.text('not an AdmissionReview', 400);
      const { request } = review.data;
      return context.json(admissionAnswer(request.uid, await decide(request), base64));
    });
  };
  answer('/admission/registrysecrets', async (request) => {
    const verdict =
      request.operation === 'DELETE' ? admitDelete(deps, request) : await admitSecret(deps, request);
    const change = verdict.allowed ? undefined : reviewedChange(request);
    if (change !== undefined) await deps.audit.refused(change);
    return verdict;
  });
  answer('/admission/changes', (request) => {
    const change = reviewedChange(request);
    return change === undefined ? admitted : deps.audit.review(change);
  });
  answer('/admission/pods', (request) => admitPod(deps, request));
  app.onError((_error, context) => context.text('the review could not be answered', 400));
  return app;
}

/** Undefined for what changes nothing, or nothing of ours. */
function reviewedChange(request: Request): ReviewedChange | undefined {
  const { operation, userInfo } = request;
  const resource = auditedKinds.find((plural) => plural === request.resource.resource);
  if (resource === undefined || operation === 'CONNECT' || request.dryRun === true) return undefined;
  const [object, oldObject] = [request.object, request.oldObject].map((one) =>
    one === null || one === undefined ? undefined : changedSchema.parse(one),
  );
  const user = { name: userInfo.username, uid: userInfo.uid };
  return {
    resource,
    operation,
    user,
    ...(object === undefined ? {} : { object }),
    ...(oldObject === undefined ? {} : { oldObject }),
  };
}

/** The Secret is written before the object is let in; it gets its owner when the object is there. */
async function admitSecret(deps: AdmissionDependencies, request: Request): Promise<AdmissionVerdict> {
  const incoming = secretSchema.parse(request.object);
  const name = request.name === '' ? incoming.metadata.name : request.name;
  // Without a name there is no Secret to write to: the reconciler does it once the server has made one up.
  if (name === '') return admitted;
  const ref = { namespace: request.namespace, name };
  const object = { metadata: { annotations: incoming.metadata.annotations ?? {} }, spec: incoming.spec };
  const operation = request.operation === 'CREATE' ? 'CREATE' : 'UPDATE';
  const { uid } = incoming.metadata;
  const owner = secretObject(ref, uid, incoming.spec);
  const stored = operation === 'CREATE' ? undefined : await deps.credentials.owned(owner);
  const verdict = passwordVerdict(object, operation, stored?.password);
  if (verdict.kind === 'none') return admitted;
  if (verdict.kind === 'refuse') return { allowed: false, message: notInPlace };
  const isNew = verdict.kind === 'store' && request.dryRun !== true;
  if (isNew && !(operation === 'CREATE' && (await isTaken(deps, ref))))
    await deps.credentials.store(owner, incoming.spec);
  return { allowed: true, patch: verdict.patch };
}

/** The API server asks before it looks whether the name is taken, and then refuses: the first one's credential stays. */
async function isTaken({ clients }: AdmissionDependencies, ref: ObjectRef): Promise<boolean> {
  return (await clients.resource('registrysecrets').get(ref)) !== undefined;
}

const secretObject = (
  ref: ObjectRef,
  uid: string | undefined,
  spec: RegistrySecret['spec'],
): RegistrySecret => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { ...ref, ...(uid === undefined ? {} : { uid }) },
  spec,
});

const notInPlace =
  'A credential cannot be edited in place: delete the RegistrySecret and create it anew. 凭据不可修改，请删除后重新创建。';

function admitDelete(deps: AdmissionDependencies, request: Request): AdmissionVerdict {
  const ref = { namespace: request.namespace, name: request.name };
  const users = usersOf(ref, deps.repositories.list());
  const { metadata } = secretSchema.parse(request.oldObject);
  if (users.length === 0 || metadata.annotations?.[forceDeleteAnnotation] === 'true') return admitted;
  const message = `It is in use by ${someNames(users, 3)}. Delete them first, or annotate it with ${forceDeleteAnnotation}=true. 仓库凭据正在使用中。`;
  return { allowed: false, message };
}

function admitPod(deps: AdmissionDependencies, request: Request): AdmissionVerdict {
  const { spec } = podSchema.parse(request.object);
  const images = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ image }) => image);
  const named = spec.imagePullSecrets?.map(({ name }) => name);
  const credentials = deps.registrySecrets.list(request.namespace).map((secret) => ({
    domain: secret.spec.domain,
    secretName: deps.secretName(secret.metadata.name),
  }));
  return {
    allowed: true,
    patch: pullSecretPatch({ images, ...(named ? { pullSecrets: named } : {}) }, credentials),
  };
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
