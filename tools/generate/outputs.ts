import { commandsPage } from './commands-page.ts';
import { envExample } from './env-example.ts';
import { errorsPage } from './errors-page.ts';
import { incidentTypesPage } from './incident-types-page.ts';
import { metricsPage } from './metrics-page.ts';
import { mistakesPage } from './mistakes-page.ts';
import { servicesPage } from './services-page.ts';
import { statesPage } from './states-page.ts';
import { threatModel } from './threat-model.ts';
import { transitionsSql } from './transitions.ts';

/** Every generated file by its path from the root, and what writes it. Nothing of the outside enters. */
export const OUTPUTS: ReadonlyMap<string, () => string> = new Map([
  ['docs/reference/commands.md', commandsPage],
  ['docs/reference/states.md', statesPage],
  ['docs/reference/incident-types.md', incidentTypesPage],
  ['docs/reference/services.md', servicesPage],
  ['docs/reference/errors.md', errorsPage],
  ['docs/reference/metrics.md', metricsPage],
  ['docs/reference/mistakes.md', mistakesPage],
  ['THREAT_MODEL.md', threatModel],
  ['sql/generated/transitions.sql', transitionsSql],
  ['.env.example', envExample],
]);
