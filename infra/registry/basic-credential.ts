import { Failure } from '../../domain/failure.ts';
import type { Credential } from '../copy/engine.ts';

/** `Basic …` with UTF-8 (RFC 7617). Throws `InvalidCredential` for what a header cannot carry. */
export function basicCredential(credential: Credential): string {
  // eslint-disable-next-line no-control-regex -- exactly these cannot be sent
  const control = /[\u0000-\u001f\u007f]/;
  if (credential.username.includes(':'))
    throw new Failure('InvalidCredential', { detail: 'the user name holds a colon' });
  if (control.test(credential.username) || control.test(credential.password)) {
    throw new Failure('InvalidCredential', { detail: 'it holds a control character, such as a line break' });
  }
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`;
}
