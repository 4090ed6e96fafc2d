/** Editing: other octets out of octets, by octet, by field or from a form; undo and redo; two packets side by side. */
export {
  appendOption,
  fieldText,
  flipBit,
  flipOctet,
  removeOctets,
  removeOption,
  setField,
  setOctet,
} from "./change.ts"
export { type Choice, choicesOf } from "./choice.ts"
export { type Comparison, compare, type FieldPair, type OctetRun } from "./compare.ts"
export type { Edited } from "./edited.ts"
export type { EntryType, FormEntry, FormFault, FormValues, OptionForm } from "./form.ts"
export { amend, beginHistory, canRedo, canUndo, type History, record, redo, undo } from "./history.ts"
export { OPTION_FORMS } from "./option-form.ts"
export {
  type Built,
  build,
  type FormOption,
  PACKET_FORMS,
  type PacketForm,
  type PacketFormName,
} from "./packet-form.ts"
