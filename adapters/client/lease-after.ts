import type { MappingState, SavedLease } from "../../core/client/index.ts"

/**
 * What a later run needs of a saved lease once its mapping was taken away: nothing of one that is gone, and the nonce of one that its
 * traffic keeps (RFC 6887 section 15) for as long. What a server has not said to be deleted it may still have.
 */
export const leaseAfter = (lease: SavedLease, state: MappingState | undefined): readonly SavedLease[] => {
  if (state?.kind !== "revoked" || !state.answered) return [lease]
  return state.lifetime === undefined ? [] : [{ ...lease, remaining: state.lifetime }]
}
