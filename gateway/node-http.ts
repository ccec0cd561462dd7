// node:http without an import statement. Why: importing it reads every name that it exports, and some of those load
// undici when they are read, which costs the gateway 5 MB.

export const { createServer, IncomingMessage, METHODS, request, STATUS_CODES } = process.getBuiltinModule('node:http');
