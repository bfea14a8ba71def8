import { limited } from './limits.js';
import { Address, type AddressPart, ModelError } from './model.js';

/** A tag with `&` is not looked up: `{{&x}}` means the text `{{x}}`. */
const TAG = /\{\{(&)?([^{}]+?)\1?\}\}/g;
const PART = /\.([A-Za-z_][A-Za-z0-9_]*)|\[([A-Za-z0-9_\-./]+)\]/y;

/** A part of a text that was split at its mustache tags. */
export type TextPiece = string | Address;

/**
 * Splits a text at its tags, with the original's grammar: `[^{}]` between double braces; an address is a sequence of
 * `.name` and `[index]`, and the first dot is optional. A tag without an address inside raises InvalidRefError.
 * `{{&…}}` becomes the text `{{…}}`, or stays unchanged with `keepEscapes`. `known` are the addresses of tags that
 * were parsed before.
 */
export function split(
  text: string,
  keepEscapes: boolean,
  known: Map<string, Address> = new Map(),
): TextPiece[] {
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const match of text.matchAll(TAG)) {
    const [tag, escaped, content = ''] = match;
    if (match.index > end) pieces.push(text.slice(end, match.index));
    end = match.index + tag.length;
    if (escaped !== undefined) pieces.push(`{{${keepEscapes ? '&' : ''}${content}}}`);
    else {
      const address = known.get(content) ?? tagAddress(tag, content);
      known.set(content, address);
      pieces.push(address);
    }
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

function tagAddress(tag: string, content: string): Address {
  try {
    return parseAddress(content);
  } catch (error) {
    if (error instanceof ModelError) error.tag ??= tag;
    throw error;
  }
}

/** Whether a text may have tags at all. */
export function hasTag(text: string): boolean {
  return text.includes('{{');
}

/** Raises InvalidRefError if the text is not an address; the message is the original's. */
export function parseAddress(text: string): Address {
  if (text === '') throw new ModelError('InvalidRefError', "Invalid address: ''");
  let address = text;
  if (!text.startsWith('[') && !text.startsWith('.')) {
    if (!/^[a-zA-Z_]/.test(text)) throw new ModelError('InvalidRefError', text);
    address = `.${text}`;
  }
  const parts: AddressPart[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < address.length) {
    const match = PART.exec(address);
    if (match === null) throw new ModelError('InvalidRefError', `Badly formed address ${address}`);
    const [, name, index] = match;
    if (name !== undefined) parts.push({ kind: 'dereference', value: name });
    else parts.push({ kind: 'index', value: index as string });
    limited('address', parts.length);
  }
  return new Address(parts);
}

/** `.a[b]`: with the leading dot, so that the address of a part begins with that of the whole. */
export function mountPoint(parts: readonly AddressPart[]): string {
  let text = '';
  for (const { kind, value } of parts) text += kind === 'index' ? `[${value}]` : `.${value}`;
  return text;
}

/** `a[b]`, as people write it. */
export function addressText({ parts }: Address): string {
  return mountPoint(parts).replace(/^\./, '');
}

/** The tag as it is printed if it cannot be resolved. A leading dot is lost, as in the original. */
export function tagText(address: Address): string {
  return `{{${addressText(address)}}}`;
}
