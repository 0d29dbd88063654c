/**
 * `npm run vectors -- FOLDER`: plays public test vectors, which are not part of this repository, against our code.
 * FOLDER/merkle: inclusion and consistency proofs of transparency-dev/merkle (testdata). Without the folder it says
 * so and succeeds: nothing else depends on it.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProofKind, playVector } from './vectors/merkle-vectors.ts';

const KINDS: readonly ProofKind[] = ['inclusion', 'consistency'];

function main(folder: string | undefined): number {
  if (folder === undefined) {
    console.log('Nothing checked: name the folder of the vectors, as in `npm run vectors -- FOLDER`.');
    return 0;
  }
  const merkle = join(folder, 'merkle');
  if (!existsSync(merkle)) {
    console.log(`Nothing checked: there is no folder ${merkle}.`);
    return 0;
  }
  return KINDS.map((kind) => check(kind, join(merkle, kind))).every(Boolean) ? 0 : 1;
}

/** Plays all vectors of a kind. A folder without any is a disagreement: it would pass for agreement otherwise. */
function check(kind: ProofKind, folder: string): boolean {
  const files = globSync('**/*.json', { cwd: folder }).sort();
  const disagreements = files.flatMap((file) => {
    const problem = playVector(kind, readFileSync(join(folder, file), 'utf8'));
    return problem === undefined ? [] : [`${kind}/${file}: ${problem}`];
  });
  for (const line of disagreements) console.error(line);
  console.log(`${kind}: ${files.length} vectors, ${disagreements.length} disagree`);
  return files.length > 0 && disagreements.length === 0;
}

process.exitCode = main(process.argv[2]);
