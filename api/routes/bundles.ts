import type { z } from '@hono/zod-openapi';
import { parseRange } from '../../domain/bundle/byte-range.ts';
import { bundleObjectName } from '../../domain/bundle/stage-plan.ts';
import type { Language } from '../../domain/api/status.ts';
import { parseLimit, parsePage } from '../../domain/api/list-query.ts';
import { cutPage } from '../../domain/api/list-view.ts';
import { Failure } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { maxEnvelopeBytes } from '../../domain/trust/envelope.ts';
import type { AppliedInventory, AppliedReceipt } from '../../infra/bundle/site-mail.ts';
import type { BundleRouteDependencies } from '../dependencies.ts';
import { present } from '../objects.ts';
import { route, type Answer, type Route } from '../route.ts';
import {
  bundleParameters,
  imageBundleListSchema,
  imageBundleSchema,
  inventoryAnswerSchema,
  receiptAnswerSchema,
  receiptSchema,
  siteParameters,
  stageRequestSchema,
} from '../schema/bundle.ts';
import { groupVersion } from '../schema/meta.ts';
import { listQuerySchema, noQuery } from '../schema/parameters.ts';
import { syncAnswerSchema } from '../schema/repository.ts';
import type { RouteTools } from './tools.ts';

type Words = Readonly<Record<Language, string>>;
const staging: Words = { en: 'The bundle is being staged', zh: '正在生成离线包' };
/** What became of a letter that a site sent, by the verdict about it. */
const receiptWords: Readonly<Record<AppliedReceipt['verdict'], Words>> = {
  advance: { en: 'The receipt is taken', zh: '回执已接收' },
  repeat: { en: 'The receipt was taken before', zh: '该回执此前已接收' },
  stale: {
    en: 'The receipt is older than the last one: the base stays',
    zh: '回执早于已确认的版本，基础内容不变',
  },
};
const inventoryWords: Readonly<Record<AppliedInventory['verdict'], Words>> = {
  advance: { en: 'The inventory is taken', zh: '清单已接收' },
  repeat: { en: 'The inventory was taken before', zh: '该清单此前已接收' },
  stale: { en: 'The inventory is older than the last one, which stays', zh: '清单早于已有清单，保留后者' },
};
const shared = { kind: 'ImageBundle', tag: 'Bundles' } as const;

/** Every route about bundles. */
export const bundleRoutes = (tools: RouteTools): readonly Route[] => [
  stageRoute(tools),
  listRoute(tools),
  getRoute(tools),
  archiveRoute(tools),
  receiptRoute(tools),
  inventoryRoute(tools),
];

const stageRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: '/sites/{site}/bundles',
      operationId: 'stageBundle',
      summary: 'Stage a bundle for a site without a network',
      access: { verb: 'create', resource: 'imagebundles' },
      params: siteParameters,
      query: noQuery,
      body: { schema: stageRequestSchema, optional: true },
      answers: { 201: { description: 'Started, or joined', schema: syncAnswerSchema } },
    },
    async ({ params, body, language }) => {
      const site = parseSiteName(params.site);
      const known = await tools.clients.resource('edgesites').get({ name: site });
      if (known === undefined)
        throw new Failure('NotFound', { side: 'caller', subject: `edgesites ${site}` });
      if (known.spec.mode !== 'offline') {
        throw new Failure('InvalidRequest', { side: 'caller', detail: `${site} is a connected site` });
      }
      const run = await served(tools).gateway.startStage({ site, kind: body.kind });
      const { workflowId, runId, alreadyRunning } = run;
      return {
        status: 201,
        body: { success: true, message: staging[language], workflowId, runId, alreadyRunning },
        workflow: { id: workflowId, runId },
      };
    },
  );

const listRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: '/sites/{site}/bundles',
      operationId: 'listBundles',
      summary: 'Bundles of a site, newest first',
      access: { verb: 'list', resource: 'imagebundles' },
      params: siteParameters,
      query: listQuerySchema.pick({ page: true, limit: true }),
      answers: { 200: { description: 'One page', schema: imageBundleListSchema } },
    },
    async ({ params, query }) => {
      const site = parseSiteName(params.site);
      const all = await tools.clients.resource('imagebundles').list();
      const own = all
        .filter(({ spec }) => spec.site === site)
        .sort((one, other) => other.spec.sequence - one.spec.sequence);
      const page = cutPage(own, { page: parsePage(query.page), limit: parseLimit(query.limit) });
      const items = page.items.map(present);
      const { totalItems } = page;
      return { status: 200, body: { apiVersion: groupVersion, kind: 'ImageBundleList', items, totalItems } };
    },
  );

const getRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: '/sites/{site}/bundles/{seq}',
      operationId: 'getBundle',
      summary: 'One bundle: phase, progress, sizes, base and expiry',
      access: { verb: 'get', resource: 'imagebundles' },
      params: bundleParameters,
      query: noQuery,
      answers: { 200: { description: 'The bundle', schema: imageBundleSchema } },
    },
    async ({ params }) => {
      const name = bundleObjectName(parseSiteName(params.site), Number(params.seq));
      const bundle = await tools.clients.resource('imagebundles').get({ name });
      if (bundle === undefined) throw new Failure('BundleNotFound', { side: 'caller', subject: name });
      return { status: 200, body: present(bundle) };
    },
  );

const archiveRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: '/sites/{site}/bundles/{seq}/archive',
      operationId: 'getBundleArchive',
      summary: 'The bundle as one tar, an OCI layout; takes Range, so that a cut-off download goes on',
      access: { verb: 'get', resource: 'imagebundles', subresource: 'archive' },
      params: bundleParameters,
      query: noQuery,
      answers: {
        200: { description: 'The archive', contentTypes: ['application/x-tar'] },
        206: { description: 'The part that was asked for', contentTypes: ['application/x-tar'] },
      },
    },
    async ({ params, range, signal }): Promise<Answer> => {
      const archive = await served(tools).desk.archive(parseSiteName(params.site), Number(params.seq));
      const wanted = parseRange(range, archive.size);
      if (wanted === 'unsatisfiable')
        throw new Failure('InvalidRequest', { side: 'caller', detail: 'range' });
      const part = wanted === 'whole' ? { from: 0, to: archive.size } : wanted;
      const headers = {
        'accept-ranges': 'bytes',
        'content-length': String(part.to - part.from),
        etag: `"${archive.digest}"`,
        ...(wanted === 'whole'
          ? {}
          : { 'content-range': `bytes ${part.from}-${part.to - 1}/${archive.size}` }),
      };
      const source = ReadableStream.from(archive.open(part.from, part.to, signal)) as ReadableStream<
        Uint8Array<ArrayBuffer>
      >;
      const partial = wanted !== 'whole';
      return { status: 200, stream: { type: 'application/x-tar', source, headers, partial } };
    },
  );

const receiptRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: '/sites/{site}/receipts',
      operationId: 'applyReceipt',
      summary: 'Bring back a site’s receipt: the next bundle builds on what it proves',
      access: { verb: 'create', resource: 'imagebundles', subresource: 'receipt' },
      params: siteParameters,
      query: noQuery,
      body: { schema: receiptSchema, maxBytes: maxEnvelopeBytes },
      answers: { 200: { description: 'Taken', schema: receiptAnswerSchema } },
    },
    async ({ params, body, language }) => {
      const bytes = envelopeOf(body);
      const { receipt, verdict } = await served(tools).mail.applyReceipt(bytes, parseSiteName(params.site));
      const { sequence } = receipt;
      return {
        status: 200,
        body: { success: true, message: receiptWords[verdict][language], sequence, verdict },
      };
    },
  );

const inventoryRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: '/sites/{site}/inventory',
      operationId: 'applyInventory',
      summary: 'Bring back what a site’s registry has: a bundle of kind inventory carries only the rest',
      access: { verb: 'create', resource: 'imagebundles', subresource: 'receipt' },
      params: siteParameters,
      query: noQuery,
      body: { schema: receiptSchema, maxBytes: maxEnvelopeBytes },
      answers: { 200: { description: 'Taken', schema: inventoryAnswerSchema } },
    },
    async ({ params, body, language }) => {
      const { inventory, verdict } = await served(tools).mail.applyInventory(
        envelopeOf(body),
        parseSiteName(params.site),
      );
      const { takenAt, content } = inventory;
      const message = inventoryWords[verdict][language];
      return { status: 200, body: { success: true, message, takenAt, parts: content.length, verdict } };
    },
  );

/** The spelling that was signed: JSON on the way here may have been printed anew. */
function envelopeOf({ payloadType, payload, signatures }: z.infer<typeof receiptSchema>): Buffer {
  const plain = signatures.map(({ keyid, sig }) => ({ keyid, sig }));
  return Buffer.from(`${JSON.stringify({ payloadType, payload, signatures: plain })}\n`);
}

function served({ bundles }: RouteTools): BundleRouteDependencies {
  if (bundles === undefined) throw new Failure('StorageUnavailable', { side: 'storage' });
  return bundles;
}
