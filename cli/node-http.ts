// node:http without an import statement. Why: importing it reads every name that it exports, and some of those load
// undici when they are read, which costs every command 20 ms.

export const { Agent, request, STATUS_CODES } = process.getBuiltinModule('node:http');
