import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { startHandler } from './blank-process.ts';

const cases: readonly {
  name: string;
  source: string;
  path?: string;
  method?: string;
  body?: string;
  type?: string;
  want: string;
}[] = [
  { name: 'json()', source: 'new Response(String((await r.json()).a))', body: '{"a":5}', want: '5' },
  {
    name: 'json() of garbage rejects',
    source: 'r.json().then(() => new Response("no"), (e) => new Response(e.name))',
    body: '{',
    want: 'SyntaxError',
  },
  { name: 'arrayBuffer()', source: 'new Response(String((await r.arrayBuffer()).byteLength))', body: 'four', want: '4' },
  { name: 'bytes()', source: 'new Response((await r.bytes()).constructor.name)', body: 'x', want: 'Uint8Array' },
  {
    name: 'blob()',
    source: 'r.blob().then(async (b) => new Response(b.type + (await b.text())))',
    body: 'x',
    type: 'text/a',
    want: 'text/ax',
  },
  {
    name: 'formData() of a form',
    source: 'new Response((await r.formData()).get("a"))',
    body: 'a=1',
    type: 'application/x-www-form-urlencoded',
    want: '1',
  },
  {
    name: 'formData() of a multipart body',
    source: 'r.formData().then(async (f) => new Response(f.get("a") + f.get("f").name + (await f.get("f").text())))',
    body: '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\nfile\r\n--x--\r\n',
    type: 'multipart/form-data; boundary=x',
    want: '1nfile',
  },
  {
    name: 'reading twice rejects',
    source: 'r.text().then(() => r.text()).catch((e) => new Response(e.name))',
    body: 'x',
    want: 'TypeError',
  },
  {
    name: 'clone() and both read',
    source: 'Promise.resolve(r.clone()).then(async (c) => new Response((await c.text()) + (await r.text())))',
    body: 'x',
    want: 'xx',
  },
  { name: 'body is a stream', source: 'new Response(r.body)', body: 'streamed', want: 'streamed' },
  { name: 'body of GET is null', source: 'new Response(String(r.body))', want: 'null' },
  {
    name: 'a Request made from it',
    source: 'new Response(await new Request(r, { headers: { a: "b" } }).text())',
    body: 'again',
    want: 'again',
  },
  {
    name: 'a Request of its own',
    source: 'new Response(new Request("http://x/y", { method: "post", body: "b" }).method)',
    want: 'POST',
  },
  {
    name: 'the URL is normalised',
    source: 'new Response(new URL(r.url).href === r.url ? r.url : "differs")',
    path: '/a/../b%20c/"?q="',
    want: 'http://localhost/b%20c/%22?q=%22',
  },
  {
    name: 'a FormData body',
    source:
      'new Response((() => { const f = new FormData(); f.set("k", "v"); return f })()).formData().then((f) => new Response(f.get("k")))',
    want: 'v',
  },
  { name: 'a Blob body', source: 'new Response(new Blob(["blob"]))', want: 'blob' },
  { name: 'URLSearchParams', source: 'new Response(new URLSearchParams({ a: "b c" }))', want: 'a=b+c' },
  { name: 'a fetched Response', source: 'fetch("data:text/plain,native")', want: 'native' },
  {
    name: 'fetch results are Responses',
    source: 'new Response(String((await fetch("data:,")) instanceof Response))',
    want: 'true',
  },
  { name: 'text of a Response', source: 'new Response(await new Response("own").text())', want: 'own' },
  { name: 'a cloned Response', source: 'new Response(await new Response("c").clone().text())', want: 'c' },
  {
    name: 'headers iterate sorted and joined',
    source: 'new Response(JSON.stringify([...new Headers([["b", "1"], ["A", "2"], ["b", "3"]])]))',
    want: '[["a","2"],["b","1, 3"]]',
  },
  {
    name: 'status 700 is a RangeError',
    source: 'Promise.resolve().then(() => new Response("", { status: 700 })).catch((e) => new Response(e.name))',
    want: 'RangeError',
  },
  {
    name: 'bad headers are a TypeError',
    source: 'Promise.resolve().then(() => new Response("", { headers: { "a b": "c" } })).catch((e) => new Response(e.name))',
    want: 'TypeError',
  },
  {
    name: 'a body with 204 is a TypeError',
    source: 'Promise.resolve().then(() => new Response("x", { status: 204 })).catch((e) => new Response(e.name))',
    want: 'TypeError',
  },
];

test('Request and Response are what the Fetch standard says', async (t) => {
  const functions = cases.map(({ source }) => `async (r) => ${source}`);
  const blank = await startHandler(
    t,
    `const all = [${functions.join(',\n')}]; module.exports = (r) => all[Number(r.headers.get("x-case"))](r)`,
  );
  for (const [index, { name, path = '/', body, type, want }] of cases.entries()) {
    const headers = { 'x-case': String(index), host: 'localhost', ...(type === undefined ? {} : { 'content-type': type }) };
    const answer = await blank.call(path.replaceAll('"', '%22'), { headers, ...(body === undefined ? {} : { body }) });
    assert.equal(answer.body, want, name);
  }
});

test('fetch sends a Request, the one that came and one of the handler', async (t) => {
  const upstream = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => (body += chunk));
    request.on('end', () => response.end(`${request.method} ${request.url} ${request.headers['x-a']} ${body}`));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onEnd(t, () => upstream.close());
  const host = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const blank = await startHandler(
    t,
    `module.exports = (r) => r.url.endsWith('/pass') ? fetch(r) : r.url.endsWith('/copy') ? fetch(new Request('http://${host}/new', r)) :
      fetch(new Request('http://${host}/own', { method: 'PUT', headers: { 'X-A': 'b' }, body: 'own' }), { headers: { 'x-a': 'c' } })`,
  );
  const ask = async (path: string) => (await blank.call(path, { headers: { host, 'x-a': 'a' }, body: 'came' })).body;
  assert.equal(await ask('/pass'), 'POST /pass a came');
  assert.equal(await ask('/copy'), 'POST /new a came');
  assert.equal(await ask('/else'), 'PUT /own c own');
});
