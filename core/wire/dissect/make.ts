/** What the dissectors of other protocols make their trees with: for rooms of the core, no entry of the package. */
export { field } from "./field.ts"
export { group, leaf, readFields } from "./node.ts"
