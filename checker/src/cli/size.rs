//! Sizes with their unit: `64KiB`.

/// Reads a size in bytes. The unit is always written.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err("a size is a number and a unit: B, KiB, MiB, GiB or TiB".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a size begins with a whole number".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "a size is less than 2^64 bytes".to_owned())
}

/// Writes a size as it can be read: in the greatest unit that divides it.
pub(super) fn format(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let shift = if bytes == 0 { 0 } else { (bytes.trailing_zeros() / 10).min(4) };
    format!("{}{}", bytes >> (10 * shift), units[shift as usize])
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(parse("17B"), Ok(17));
        assert_eq!(parse("2GiB"), Ok(2 << 30));
        assert_eq!(parse("2GB").unwrap_err(), "a size is a number and a unit: B, KiB, MiB, GiB or TiB");
        assert_eq!(parse("2").unwrap_err(), "a size is a number and a unit: B, KiB, MiB, GiB or TiB");
        assert_eq!(parse("KiB").unwrap_err(), "a size begins with a whole number");
        for size in ["0B", "17B", "1025KiB", "64MiB", "2GiB", "2048TiB"] {
            assert_eq!(parse(size).map(format), Ok(size.to_owned()));
        }
        assert_eq!(parse("99999999TiB").unwrap_err(), "a size is less than 2^64 bytes");
    }
}
