import type { Capability, Case } from "../../../adapters/conformance/case.ts"

/** What a row of a table of cases has beside what all of its group have. */
export type Row = Omit<Case, "requirements" | "clause"> &
  Partial<Pick<Case, "requirements" | "clause">> & {
    /** Besides the `needs` of the row or the group. */
    readonly alsoNeeds?: readonly Capability[]
  }

/** Why a black-box run leaves a case out that a server is set up for. */
export const SET_UP = "needs a configuration of its own"

/** Cases of the same requirements and clause; members of a row win over those of the group. */
export const group = (
  shared: Pick<Case, "requirements" | "clause"> & Partial<Omit<Case, "steps" | "id" | "title">>,
  rows: readonly Row[],
): readonly Case[] =>
  rows.map((row) => {
    const { id, title, steps, alsoNeeds = [], ...rest } = { ...shared, ...row }
    const needs = [...(rest.needs ?? []), ...alsoNeeds]
    return { id, title, ...rest, ...(needs.length > 0 ? { needs } : {}), steps }
  })
