import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { expectScreens, screenPlace } from './screen.js';

const place = screenPlace();

test('inspect CONFIG shows the settings that differ from their defaults', async () => {
  const logger = { mode: 'rotate', rotate: { log_size: 10 << 20, backups: 2 } };
  const resources = { cpu: 1.5, ram: 512 << 20, disk: 2 ** 30 };
  const path = join(place.path, 'web.json');
  writeFileSync(
    path,
    JSON.stringify({
      name: 'web',
      max_concurrency: 2,
      resources,
      processes: [
        { name: 'fetch', cmdline: 'curl -fsSO https://example.org/web.tar.gz', min_duration: 30, resources },
        {
          name: 'serve',
          cmdline: './web --port {{thermos.ports[http]}}',
          max_failures: 0,
          daemon: true,
          logger,
        },
      ],
      constraints: [{ order: ['fetch', 'serve'] }],
    }),
  );
  await expectScreens('inspect-config-settings', ['inspect', path]);
});
