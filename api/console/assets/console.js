import { startDownloads } from './download.js';
import { startLists } from './list.js';
import { startLive } from './live.js';
import { open, startRouter } from './router.js';
import { showSession, startSession } from './session.js';

startSession(open);
startRouter();
startLive();
startLists();
startDownloads();
showSession();
void open();
