import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';

/** Items on a page where the caller does not say. */
export const defaultLimit = 10;
/** Most items on one page; larger wishes are cut to it (fault P15). */
export const maximumLimit = 500;

export interface SortOrder {
  /** A field of the list's view. */
  readonly field: string;
  readonly descending: boolean;
}

/** What a caller wants to see of a list, parsed. */
export interface ListQuery {
  /** First page is 1. */
  readonly page: number;
  /** 1 to {@link maximumLimit}. */
  readonly limit: number;
  /** Words that must all occur, in any case, in the fields a search looks at. Default: all items match. */
  readonly search?: string;
  /** Like `search`, in the few fields that name the thing. Default: all items match. */
  readonly name?: string;
  /** Fields and the exact values they must have, in any case. Default: none. */
  readonly equals?: Readonly<Record<string, string>>;
  readonly sort: SortOrder;
}

/** Parses `page`: a whole number from 1. Default 1. Throws `InvalidRequest`. */
export function parsePage(text: string | undefined): number {
  return text === undefined || text === '' ? 1 : parseCount('page', text);
}

/** Parses `limit`: a whole number from 1, cut to {@link maximumLimit}. Default {@link defaultLimit}. Throws `InvalidRequest`. */
export function parseLimit(text: string | undefined): number {
  return text === undefined || text === '' ? defaultLimit : Math.min(parseCount('limit', text), maximumLimit);
}

/** Parses `sort`: a field's name, with `-` before it for descending. Throws `InvalidRequest` for other fields. */
export function parseSort(text: string | undefined, fields: readonly string[]): SortOrder {
  if (text === undefined || text === '') return { field: 'name', descending: false };
  const descending = text.startsWith('-');
  const field = descending ? text.slice(1) : text;
  if (!fields.includes(field)) {
    throw new Failure('InvalidRequest', {
      side: 'caller',
      detail: `sort: expected one of ${fields.join(', ')}, not ${printable(text)}`,
    });
  }
  return { field, descending };
}

function parseCount(parameter: string, text: string): number {
  const number = /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  if (number < 1) {
    throw new Failure('InvalidRequest', {
      side: 'caller',
      detail: `${parameter}: expected a whole number from 1, not ${printable(text)}`,
    });
  }
  return number;
}
