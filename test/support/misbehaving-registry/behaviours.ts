import { setTimeout as sleep } from 'node:timers/promises';
import type { Misbehaviour } from './double.ts';
import type { Answer } from './exchange.ts';

/** Answers with this instead; the request body is read first. */
export function answers(answer: Answer | ((attempt: number) => Answer)): Misbehaviour {
  let attempt = 0;
  return async (exchange) => {
    await exchange.body();
    attempt += 1;
    await exchange.send(typeof answer === 'function' ? answer(attempt) : answer);
  };
}

/** Does what was asked, and changes the answer. */
export function changes(change: (answer: Answer) => Answer): Misbehaviour {
  return async (exchange) => {
    await exchange.send(change(await exchange.honestAnswer()));
  };
}

/** Full headers, the first `bytes` of the body, then an orderly end (FIN) or a reset. */
export function cutsBody(bytes: number, how: 'fin' | 'reset' = 'fin'): Misbehaviour {
  return async (exchange) => {
    const answer = await exchange.honestAnswer();
    const body = Buffer.from(answer.body ?? '');
    exchange.trace.status = answer.status;
    exchange.response.writeHead(answer.status, {
      ...(answer.headers as Record<string, string>),
      'content-length': String(body.byteLength),
    });
    const part = body.subarray(0, bytes);
    exchange.trace.responseBytes += part.byteLength;
    await new Promise<void>((resolve) => {
      exchange.response.write(part.byteLength === 0 ? ' '.slice(1) : part, () => resolve());
      if (part.byteLength === 0) exchange.response.flushHeaders();
    });
    await sleep(5);
    if (how === 'reset') exchange.reset();
    else exchange.socket.end();
  };
}

/** No Content-Length, no chunks: the end of the connection is the end of the body, and it comes early. */
export function closeDelimited(bytes: number): Misbehaviour {
  return async (exchange) => {
    const answer = await exchange.honestAnswer();
    const body = Buffer.from(answer.body ?? '');
    const range = answer.headers?.['content-range'];
    const extra = typeof range === 'string' ? `Content-Range: ${range}\r\n` : '';
    const head = Buffer.from(`HTTP/1.1 ${answer.status} OK\r\n${extra}Connection: close\r\n\r\n`);
    exchange.trace.status = answer.status;
    exchange.raw(Buffer.concat([head, body.subarray(0, bytes)]));
  };
}

/** Does nothing for a while, or for ever, then behaves. */
export function waits(milliseconds: number): Misbehaviour {
  return async (exchange) => {
    await sleep(milliseconds, undefined, { ref: false });
    if (!exchange.socket.destroyed) await exchange.send(await exchange.honestAnswer());
  };
}

/** Never answers. */
export function hangs(): Misbehaviour {
  return async (exchange) => {
    await exchange.body();
    await new Promise<void>((resolve) => {
      exchange.socket.once('close', () => resolve());
    });
  };
}

/** A TCP reset instead of an answer, after the request was read and carried out (`late`) or not. */
export function resets(late = false): Misbehaviour {
  return async (exchange) => {
    if (late) await exchange.honestAnswer();
    exchange.reset();
  };
}

/** Sends the body one small piece at a time. */
export function drips(piece: number, everyMs: number): Misbehaviour {
  return async (exchange) => {
    const answer = await exchange.honestAnswer();
    const body = Buffer.from(answer.body ?? '');
    exchange.trace.status = answer.status;
    exchange.response.writeHead(answer.status, {
      ...(answer.headers as Record<string, string>),
      'content-length': String(body.byteLength),
    });
    for (let at = 0; at < body.byteLength && !exchange.socket.destroyed; at += piece) {
      exchange.response.write(body.subarray(at, at + piece));
      exchange.trace.responseBytes += Math.min(piece, body.byteLength - at);
      await sleep(everyMs, undefined, { ref: false });
    }
    exchange.response.end();
  };
}

/** Flips a bit of the body. */
export function flipsBit(at = 0): Misbehaviour {
  return changes((answer) => {
    const body = Buffer.from(answer.body ?? '');
    body[at] = (body[at] ?? 0) ^ 1;
    return { ...answer, body };
  });
}
