import { groups, type Rule } from '../rule.ts';
import { addRules } from './add.ts';
import { chainRules } from './chain.ts';
import { checkRules } from './check.ts';
import { configurationRules } from './configuration.ts';
import { delRules } from './del.ts';
import { environmentRules } from './environment.ts';
import { errorRules } from './errors.ts';
import { gcRules, statusRules } from './gc.ts';
import { processRules } from './process.ts';
import { resultKernelRules } from './result-kernel.ts';
import { resultShapeRules } from './result-shape.ts';
import { versionRules } from './version.ts';

const all: readonly Rule[] = [
  ...versionRules,
  ...addRules,
  ...resultShapeRules,
  ...resultKernelRules,
  ...errorRules,
  ...environmentRules,
  ...configurationRules,
  ...delRules,
  ...checkRules,
  ...chainRules,
  ...gcRules,
  ...statusRules,
  ...processRules,
];

/** Every rule, in the order of the groups. */
export const rules: readonly Rule[] = groups.flatMap((group) => all.filter((rule) => rule.group === group));
