export { type Change, type Counters, type CounterVector, counted, counterCell, countersFrom } from "./change.ts"
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
export type { CgnState } from "./layout.ts"
export { listFilters, listMappings, mappingCount, type Page } from "./list.ts"
export type { Filter, Mapping, MappingDetails, MappingKind, MappingOrigin, Realm } from "./mapping.ts"
export { createCgn, memoryCgn } from "./memory.ts"
export { type CgnSettings, MAX_POOL, type SettingsError } from "./settings.ts"
export { noteOutbound } from "./traffic.ts"
