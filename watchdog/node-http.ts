// node:http without an import statement. Why: importing it reads every name that it exports, and three of those
// (WebSocket and its events) load undici when they are read, which costs each watchdog 25 ms of its boot and 15 MB.

export const { Agent, createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http');
