export { cleanup } from './cleanup.ts';
export { recordUsage } from './record-usage.ts';
export { resync } from './resync.ts';
export { rollback } from './rollback.ts';
export { scheduledCleanup } from './scheduled-cleanup.ts';
export { scrub } from './scrub.ts';
export { syncRepository } from './sync.ts';
export { verifyRegistry } from './verify.ts';
