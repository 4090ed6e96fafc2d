/** Links that hold a packet or a session, and taking out of them what tells whose they are. */

export { type Anonymiser, anonymiser } from "./anonymise.ts"
export { type AddressCloak, addressCloak } from "./anonymous-address.ts"
export {
  type FragmentMade,
  type FragmentRead,
  fromFragment,
  MOST_CHARACTERS,
  type Shared,
  toFragment,
} from "./fragment.ts"
