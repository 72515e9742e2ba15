import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseTag } from '../../../domain/names/tag.ts';
import { openFlakyLink } from '../../support/flaky-link.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage } from '../../support/sample-image.ts';
import { TestEngine } from './real-registries.ts';

const layer = 40_000_000;
let upstream: RegistryProcess;
let edge: RegistryProcess;
let own: TestEngine;

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess()]);
  own = new TestEngine();
  const { blobs, manifest } = sampleImage([randomBlob(layer)]);
  await pushSample(own.store(own.endpoint(upstream.domain, 'a/big')), blobs, [manifest], 'v1');
});
after(async () => {
  await own.close();
  await Promise.all([upstream.stop(), edge.stop()]);
});

test('a download that is cut every 10 MB goes on where it was and moves hardly a byte twice', async (t) => {
  const link = await openFlakyLink(upstream.domain, { cutEvery: 10_000_000 });
  t.after(() => link.close());
  const source = own.endpoint(link.domain, 'a/big');
  const root = await own.root(source);
  const target = own.endpoint(edge.domain, 'download/big');
  const report = await own.engine.copy({ source, root, target, tag: parseTag('v1') });
  await own.engine.verifyGraph(target, root.digest, { deep: true });
  assert.ok(link.cuts >= 3, `${link.cuts} cuts`);
  assert.ok(report.bytesRead < layer * 1.01, `${report.bytesRead} bytes`);
});

test('an upload that is cut every 10 MB goes on where the registry is', async (t) => {
  const link = await openFlakyLink(edge.domain, { cutEvery: 10_000_000 });
  t.after(() => link.close());
  const source = own.endpoint(upstream.domain, 'a/big');
  const root = await own.root(source);
  const target = own.endpoint(link.domain, 'upload/big');
  const report = await own.engine.copy({ source, root, target, tag: parseTag('v1') });
  await own.engine.verifyGraph(target, root.digest, { deep: true });
  assert.ok(link.cuts >= 3, `${link.cuts} cuts`);
  // What was in the buffers of two sockets and a proxy is lost with each cut.
  assert.ok(report.bytesMoved < layer * 1.7, `${report.bytesMoved} bytes`);
});
