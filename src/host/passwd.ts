export interface User {
  name: string;
  uid: number;
  home: string;
}

/** Parses /etc/passwd (passwd(5)); lines that are none are left out. The first entry of a uid counts. */
export function parsePasswd(text: string): Map<number, User> {
  const users = new Map<number, User>();
  for (const line of text.split('\n')) {
    const [name, , uid, , , home] = line.split(':');
    if (!name || uid === undefined || !/^\d+$/.test(uid)) continue;
    const number = Number(uid);
    if (!users.has(number)) users.set(number, { name, uid: number, home: home ?? '' });
  }
  return users;
}
