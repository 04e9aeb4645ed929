/** The schema language: `s.object({ vlan: s.integer({ min: 0, max: 4094 }).default(0) })`. */
export { type ArrayLimits, array, record } from './collections.ts';
export { type ObjectOf, type ObjectSchema, object, type Shape } from './object.ts';
export {
  address,
  boolean,
  enumeration,
  type IntegerLimits,
  integer,
  mac,
  prefix,
  type StringLimits,
  string,
  unknown,
} from './scalars.ts';
export {
  describeProblem,
  formatPath,
  type Infer,
  type Path,
  type Presence,
  type Problem,
  quote,
  type Report,
  type Schema,
  SchemaError,
  type Structure,
} from './schema.ts';
