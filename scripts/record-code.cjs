// Runs a bundle and, when its parent says so, hands over what V8 has compiled of it by then.
// Arguments: those of the bundle. Environment: SLUICE_RECORD, the file with the bundle's source.
'use strict';
const { readFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');

const file = process.env.SLUICE_RECORD;
delete process.env.SLUICE_RECORD;

const script = new Script(readFileSync(file, 'utf8'), {
  filename: file,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
process.on('message', () => {
  process.send(script.createCachedData().toString('base64'), () => process.kill(process.pid, 'SIGKILL'));
});
script.runInThisContext()(exports, require, module, file, __dirname);
