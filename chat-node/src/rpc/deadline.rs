//! Until when an answer is of use to the caller.

use std::time::Duration;

use tonic::metadata::MetadataMap;

use crate::env::{Env, Instant};

/// The limit of a call that names none.
const LIMIT_DEFAULT: Duration = Duration::from_secs(10);

/// The longest limit that is granted.
const LIMIT_MAX: Duration = Duration::from_secs(60);

/// How much sooner than the caller the service gives up, at most, so that its reason still arrives. Without it the
/// caller would have to take every operation that ran into its limit for one that may have been applied.
const MARGIN_MAX: Duration = Duration::from_millis(100);

/// The deadline of a call with this metadata, which began now.
pub(super) fn deadline(env: &Env, metadata: &MetadataMap) -> Instant {
    let asked = metadata.get("grpc-timeout").and_then(|value| parse(value.to_str().ok()?));
    env.now() + limit(asked)
}

fn limit(asked: Option<Duration>) -> Duration {
    let limit = asked.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    limit - MARGIN_MAX.min(limit / 10)
}

/// Reads the value of `grpc-timeout`: one to eight digits and a unit, as gRPC over HTTP/2 has it. tonic's own reader is
/// private.
fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(count * 60 * 60)),
        'M' => Some(Duration::from_secs(count * 60)),
        'S' => Some(Duration::from_secs(count)),
        'm' => Some(Duration::from_millis(count)),
        'u' => Some(Duration::from_micros(count)),
        'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_as_grpc_writes_it() {
        assert_eq!(parse("1500m"), Some(Duration::from_millis(1_500)));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        assert_eq!(parse("7n"), Some(Duration::from_nanos(7)));
        for wrong in ["", "m", "5", "5s", "-5S", "123456789S", "5 S", "5é"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_service_gives_up_a_little_before_the_caller() {
        assert_eq!(limit(Some(Duration::from_millis(500))), Duration::from_millis(450));
        assert_eq!(limit(Some(Duration::from_secs(5))), Duration::from_millis(4_900));
        assert_eq!(limit(None), LIMIT_DEFAULT - MARGIN_MAX);
        assert_eq!(limit(Some(Duration::from_secs(86_400))), LIMIT_MAX - MARGIN_MAX);
    }
}
