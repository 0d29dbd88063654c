import { refuse } from '@deadlatch/kernel';

/** Degrees times 10^6. */
export interface Position {
  readonly lat_e6: number;
  readonly lon_e6: number;
}

/** Where somebody or something is, as far as it is known. */
export interface Place {
  readonly position: Position | null;
  readonly territory: string | null;
}

/** How long it takes to get from one place to another: whole minutes, never less than 0. */
export interface TravelModel {
  minutes(from: Place, to: Place): number;
}

export interface GreatCircleOptions {
  readonly kmPerHour: number;
  /** Roads are longer than the line on the globe. */
  readonly detourPercent: number;
  /** Parking, signing in, walking to the door; nothing between two visits at one position. */
  readonly overheadMinutes: number;
  /** Where a position is not known: for two places of one territory, and for any others. */
  readonly unknownMinutes: { readonly within: number; readonly across: number };
}

const EARTH_KM = 6371;
const MAX_MINUTES = 60 * 24;

/**
 * Great circle at one speed, with a fixed overhead for each trip. Symmetric, and a stop on the way is never a short cut.
 * @throws DispatchError `schema_mismatch` for a speed of nothing, or minutes that are no whole number of a day
 */
export function createGreatCircleTravel(options: GreatCircleOptions): TravelModel {
  const { kmPerHour, detourPercent, overheadMinutes, unknownMinutes } = options;
  const isSpeed = Number.isFinite(kmPerHour) && kmPerHour > 0 && detourPercent >= 100;
  const minutes = [overheadMinutes, unknownMinutes.within, unknownMinutes.across];
  if (!isSpeed || !Number.isFinite(detourPercent) || !minutes.every(isDuration)) {
    refuse('schema_mismatch', { detail: 'not a travel model' });
  }
  const minutesPerKm = (60 / kmPerHour) * (detourPercent / 100);
  return {
    minutes: (from, to) => {
      if (from.position === null || to.position === null) {
        const isNear = from.territory !== null && from.territory === to.territory;
        return isNear ? unknownMinutes.within : unknownMinutes.across;
      }
      const km = distanceKm(from.position, to.position);
      return km === 0 ? 0 : Math.ceil(km * minutesPerKm) + overheadMinutes;
    },
  };
}

function isDuration(minutes: number): boolean {
  return Number.isInteger(minutes) && minutes >= 0 && minutes <= MAX_MINUTES;
}

/** @source the haversine formula: exact enough for short ways, where the law of cosines is not */
function distanceKm(a: Position, b: Position): number {
  const radians = (e6: number) => (e6 * Math.PI) / 180e6;
  const height = Math.sin(radians(b.lat_e6 - a.lat_e6) / 2) ** 2;
  const width = Math.sin(radians(b.lon_e6 - a.lon_e6) / 2) ** 2;
  const h = height + Math.cos(radians(a.lat_e6)) * Math.cos(radians(b.lat_e6)) * width;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
