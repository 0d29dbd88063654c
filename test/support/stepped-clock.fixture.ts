/**
 * Loaded before a service's own code (`--import`): its wall clock is wrong by as many milliseconds as the last line on
 * standard input said. Each line is answered by one on standard output once it is in force.
 */
const real = Date.now.bind(Date);
let wrongByMs = 0;
const stepped = () => real() + wrongByMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [stepped()] : given, newTarget),
  get: (target, name, receiver) => (name === 'now' ? stepped : Reflect.get(target, name, receiver)),
});

process.stdin.setEncoding('utf8').on('data', (lines: string) => {
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    wrongByMs = Number(line);
    process.stdout.write(`clock ${wrongByMs}\n`);
  }
});
