/**
 * Sets a property of any name: a port may be called `__proto__`. (An object without a prototype would also work, but is
 * slow to make, to read and to print.)
 */
export function setOwn<T>(object: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
