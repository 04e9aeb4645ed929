/** nf_tables: tables, chains, rules, sets, maps and their elements, changed in transactions. */
export {
  addChain,
  type BaseChain,
  type Chain,
  chainText,
  createChain,
  deleteChain,
  getChain,
  type Hook,
  type ListedChain,
  listChains,
} from './chain.ts';
export { maxCommentLength } from './comment.ts';
export { type Verdict, verdictText } from './data.ts';
export * from './datatype.ts';
export {
  addElements,
  createElements,
  deleteElements,
  type Element,
  type ElementKey,
  flushSet,
  getElement,
  listElements,
} from './element.ts';
export * from './expr/index.ts';
export { getGeneration, NoNftablesError, RulesetBusyError, withGeneration } from './generation.ts';
export { type Operation, openNftables } from './operation.ts';
export {
  addRule,
  deleteRule,
  flushChain,
  insertRule,
  type ListedRule,
  listRules,
  type Rule,
} from './rule.ts';
export {
  addSet,
  type DataKind,
  type DataOf,
  defineMap,
  defineSet,
  deleteSet,
  getSet,
  type NftSet,
  type SetInfo,
  setText,
  setWord,
} from './set.ts';
export { addTable, deleteTable, type Family, getTable, type Table, tableText } from './table.ts';
export { commit, commitAt, commitUnlessExists, TransactionError, transactionText } from './transaction.ts';
