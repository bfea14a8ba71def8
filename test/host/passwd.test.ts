import { expect, test } from 'vitest';
import { parsePasswd } from '../../src/host/passwd.js';

test('users by uid; the first of a uid counts; what is no entry is left out', () => {
  const users = parsePasswd(
    [
      'root:x:0:0:root:/root:/bin/bash',
      'toor:x:0:0::/elsewhere:/bin/sh',
      '# a comment',
      '+::::::',
      'www-data:x:33:33:www data:/var/www:/usr/sbin/nologin',
      'short:x:44',
      'bad:x:-1:0::/:',
      '',
    ].join('\n'),
  );
  expect([...users.values()]).toEqual([
    { name: 'root', uid: 0, home: '/root' },
    { name: 'www-data', uid: 33, home: '/var/www' },
    { name: 'short', uid: 44, home: '' },
  ]);
});
