// The WebSocket protocol (RFC 6455) without a library: a handler that echoes, and the handshake and frames of a client.

/** The example of RFC 6455, 1.3. */
export const key = 'dGhlIHNhbXBsZSBub25jZQ==';
export const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export const handshake = (path: string, ...headers: readonly string[]): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: h',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    ...headers,
    '\r\n',
  ].join('\r\n');

/** "Hello" in one frame, masked as a client's are and plain as a server's: RFC 6455, 5.7. One character a byte. */
export const maskedHello = '\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58';
export const plainHello = '\x81\x05Hello';

/** Source of a function `upgrade` for a handler module; needs `createHash`. It takes frames below 126 bytes that come whole. */
export const echoUpgrade = `function upgrade(request, socket, head) {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nX-Path: ' + request.url
    + '\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  const echo = (frame) => {
    const text = frame.subarray(6).map((byte, at) => byte ^ frame[2 + (at & 3)]);
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
  };
  if (head.length > 0) echo(head);
  socket.on('data', echo);
  socket.on('end', () => socket.end());
}`;
