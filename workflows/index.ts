export { resync } from './resync.ts';
export { syncRepository } from './sync.ts';
export { verifyRegistry } from './verify.ts';
