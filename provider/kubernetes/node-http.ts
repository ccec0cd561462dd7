// node:http without an import statement. Why: importing it reads every name that it exports, and some of those load
// undici when they are read, which costs the gateway 5 MB.

export const { Agent: PlainAgent, request: requestPlain } = process.getBuiltinModule('node:http');
export const { Agent: TlsAgent, request: requestTls } = process.getBuiltinModule('node:https');
