import { bytesOf } from './html.js';

/** What a page may still grow by. */
export class Room {
  left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  /** Takes the room that a text needs; false if there is not enough, and then nothing is taken. */
  take(text: string): boolean {
    const bytes = bytesOf(text);
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }

  /** A part of this room, for what must not take all of it. What is not used there is still here. */
  within<T>(most: number, use: (part: Room) => T): T {
    const part = new Room(Math.min(most, this.left));
    const before = part.left;
    const result = use(part);
    this.left -= before - part.left;
    return result;
  }
}

/** The markup of the first things for which there is room, and how many there is none for. */
export function fitting<T>(
  things: readonly T[],
  markupOf: (thing: T, index: number) => string,
  room: Room,
): { text: string; left: number } {
  const texts: string[] = [];
  for (const [i, thing] of things.entries()) {
    const text = markupOf(thing, i);
    if (!room.take(text)) return { text: texts.join(''), left: things.length - i };
    texts.push(text);
  }
  return { text: texts.join(''), left: 0 };
}
