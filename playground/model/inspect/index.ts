/** One packet as tree, octets, diagram and findings: `inspect` makes all four, linked by the ids of fields. */
export type { Diagram, DiagramCell } from "./diagram.ts"
export { CLASS_WORDS, FIELD_CLASSES, type FieldClass } from "./field-class.ts"
export type { InspectedField } from "./field-list.ts"
export type { InspectedFinding } from "./finding.ts"
export { fieldAt, type Inspection, inspect, MOST_OCTETS, pathTo } from "./inspect.ts"
export type { Octet, OctetPart } from "./octets.ts"
export {
  PROFILE_NAMES,
  PROFILE_WORDS,
  type ProfileChoice,
  type ProfileName,
  type Role,
  wireProfile,
} from "./profile-choice.ts"
export type { Reference } from "./reference.ts"
export type { RegistryEntry } from "./registry-entry.ts"
