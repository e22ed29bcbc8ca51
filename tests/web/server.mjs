// A static server for the built page on a port of its own, as strict as a careful host: right types,
// 404 for what is missing, and the page's own CSP as a header too, so that it also binds the worker.

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/plain; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.safetensors': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** The page's Content-Security-Policy, from its meta element. */
export async function policyOf(root) {
  const page = await readFile(join(root, 'index.html'), 'utf8');
  const policy = /http-equiv="?Content-Security-Policy"? content="([^"]+)"/i.exec(page)?.[1];
  if (!policy) throw new Error(`${root}/index.html has no Content-Security-Policy`);
  return policy;
}

/**
 * Serves a folder on 127.0.0.1: `{origin, close}`.
 *
 * `header: false` leaves the policy to the page; `mounts` are further folders by their first name in
 * addresses, `headers` are sent with every file, and `onServed` hears the path of each.
 */
export async function serve(root, { header = true, mounts = {}, headers = {}, onServed } = {}) {
  const policy = header ? await policyOf(root) : null;
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const [, first, rest] = /^\/([^/]+)(\/.*)$/.exec(path) ?? [];
    const [folder, inside] = Object.hasOwn(mounts, first) ? [mounts[first], rest] : [root, path];
    const file = join(folder, inside.endsWith('/') ? `${inside}index.html` : inside);
    const info = file.startsWith(folder) ? await stat(file).catch(() => null) : null;
    if (!info?.isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': info.size,
      ...headers,
      ...(policy && { 'content-security-policy': policy }),
      'x-content-type-options': 'nosniff',
    });
    onServed?.(file);
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
