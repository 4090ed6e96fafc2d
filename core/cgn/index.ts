export {
  type Assignment,
  type BlockAssignment,
  type BlockLayout,
  type DeterministicAssignment,
  type DynamicPool,
  LEAST_BLOCK,
  layoutBlocks,
  MOST_BLOCKS,
} from "./assignment.ts"
export {
  type Block,
  type Change,
  COUNTER_VECTORS,
  type Counters,
  type CounterVector,
  counted,
  counterCell,
  countersFrom,
} from "./change.ts"
export type {
  Cgn,
  CgnDone,
  CgnRefused,
  CgnResult,
  Client,
  DeleteAsk,
  FilterAsk,
  InternalEnd,
  MapAsk,
  PeerAsk,
  PortSetAsk,
  SubscriberAnswer,
} from "./contract.ts"
export {
  type AssignedRange,
  type DeterministicPlan,
  type DeterministicSubscriber,
  deterministicRange,
  deterministicSubscriber,
  planDeterministic,
} from "./deterministic.ts"
export { admits, type InboundPacket } from "./firewall/filter.ts"
export {
  createFirewall,
  firewallCgn,
  flowCount,
  listPinholes,
  pinholeCount,
  pinholeFilters,
} from "./firewall/firewall.ts"
export type { FirewallState } from "./firewall/layout.ts"
export { revokePinholes } from "./firewall/revoke.ts"
export {
  type FirewallSettings,
  type FirewallSettingsError,
  FLOW_TIMEOUTS,
  type FlowTimeouts,
} from "./firewall/settings.ts"
export { restoreFirewall, saveFirewall } from "./firewall/snapshot.ts"
export { translateFirewall } from "./firewall/translate.ts"
export type { CgnState } from "./layout.ts"
export { listBlocks, listFilters, listMappings, mappingCount, mappingCounts, type Page, poolUse } from "./list.ts"
export type { Filter, Mapping, MappingDetails, MappingKind, MappingOrigin, Realm, RemoteDependence } from "./mapping.ts"
export { createCgn, memoryCgn } from "./memory.ts"
export { type Allocate, createRing, createSlabs } from "./packet/index.ts"
export { type Out, type Passage, type Passed, REASON_CLAUSES, type Reason, reasonIndex, type Side } from "./passage.ts"
export {
  CGN_FLAGS,
  CGN_KINDS,
  type CgnFlag,
  type CgnKind,
  type CgnProfile,
  type CgnProfileError,
  type CgnProfileRule,
  type CreatedProfile,
  checkProfile,
  createProfile,
  PROFILES,
  wireProfileOf,
} from "./profile.ts"
export { adoptCgnSettings, type Moved, type Reconfigured, reconfigureCgn } from "./reconfigure.ts"
export { type RestoredCgn, type RestoreTime, restoreCgn } from "./restore.ts"
export { revoke } from "./revoke.ts"
export type { PortRange, Prefix, Rule } from "./rule.ts"
export {
  CGN_DEFAULTS,
  type CgnChangeable,
  type CgnSettings,
  type InternalFamily,
  MAX_POOL,
  type NoncePolicy,
  type StaticMapping,
} from "./settings.ts"
export type { SettingsError } from "./settings-check.ts"
export { saveCgn } from "./snapshot.ts"
export {
  type CreatedNpt,
  createNpt,
  type NptSettings,
  type NptSettingsError,
  type NptState,
  nptCgn,
  nptInbound,
  nptOutbound,
} from "./stateless/npt.ts"
export type { PrefixPair, Translator } from "./stateless/prefix.ts"
export {
  type AddressPair,
  type CreatedSiit,
  createSiit,
  type SiitSettings,
  type SiitSettingsError,
  type SiitState,
  siitAddress,
  siitCgn,
} from "./stateless/siit.ts"
export { translateNpt } from "./stateless/translate.ts"
export { translateSiit } from "./stateless/translate-siit.ts"
export { noteOutbound } from "./traffic.ts"
export { type SentLate, sendLate } from "./translate/late.ts"
export {
  type Dependence,
  type GivenTranslation,
  TRANSLATION_DEFAULTS,
  type TranslationSettings,
} from "./translate/settings.ts"
export { translate, translateInPlace } from "./translate/translate.ts"
export type { Untranslated } from "./translate/untranslated.ts"
export {
  answerWho,
  askWho,
  type Holder,
  type LoggedAssignment,
  type LoggedChange,
  type LoggedMapping,
  type LogRecord,
  readRecord,
  tellsWho,
  type Who,
  type WhoAsk,
  whoHad,
} from "./who.ts"
