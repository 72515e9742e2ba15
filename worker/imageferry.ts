#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Most of a short run is loading: what was compiled once is kept, in the user's own folder, where nobody else can put code.
enableCompileCache(
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'imageferry', 'compiled'),
);
void import('./commands/program.ts');
