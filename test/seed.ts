/**
 * Loaded before every test file: the seed of all random histories and inputs that `fast-check` makes is the number in
 * SALLYPORT_PROPERTY_SEED, or, without one, another each time. CI takes it from the commit, so that a run that failed fails again.
 */
import process from "node:process"
import fc from "fast-check"

const seed = Number(process.env.SALLYPORT_PROPERTY_SEED)
if (process.env.SALLYPORT_PROPERTY_SEED !== undefined && Number.isInteger(seed))
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
