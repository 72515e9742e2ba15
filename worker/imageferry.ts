#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Most of a short run is loading: what was compiled once is kept, in the user's own folder, where nobody else can put code.
const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
const folder = cache ?? (home === undefined ? undefined : join(home, '.cache'));
if (folder !== undefined) enableCompileCache(join(folder, 'imageferry', 'compiled'));
void import('./commands/program.ts');
