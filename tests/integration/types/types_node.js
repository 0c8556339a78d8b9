// Verdicts of what node has: its URL and JSON.parse, ajv's formats and its enum, and the regular expression that
// the HTML standard gives for input type=email. Standard input: lines "WORD HEX [HEX...]"; for each line 1 or 0.
'use strict';
const Ajv = require('ajv');
const ajv = new Ajv({format: 'full'});
const hostname = ajv.compile({type: 'string', format: 'hostname'});
// https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
const email = /^[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
const enums = new Map();

function isOneOf(words, value) {
  if (!enums.has(words))
    enums.set(words, ajv.compile({enum: Buffer.from(words, 'hex').toString('latin1').split('\n')}));
  return enums.get(words)(value);
}

const judges = {
  hostname: bytes => hostname(bytes.toString('latin1')),
  email: bytes => email.test(bytes.toString('latin1')),
  enum: (bytes, words) => isOneOf(words, bytes.toString('latin1')),
  json: bytes => { JSON.parse(utf8.decode(bytes)); return true; },
  url: bytes => { new URL(utf8.decode(bytes)); return true; },
};

function verdict(line) {
  const [word, value, ...more] = line.split(' ');
  try {
    return judges[word](Buffer.from(value, 'hex'), ...more) ? '1' : '0';
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      return '0';
    throw error;
  }
}

const lines = require('fs').readFileSync(0, 'latin1').split('\n').slice(0, -1);
process.stdout.write(lines.map(verdict).join('\n') + '\n');
