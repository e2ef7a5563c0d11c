//! Passwords from a stream.

use super::*;

#[test]
fn each_command_takes_one_line() {
    let mut input = "first \nsecond\r\n\nlast".as_bytes();
    let taken: Vec<String> = (0..4).map(|_| read_line(&mut input).unwrap()).collect();
    assert_eq!(taken, ["first ", "second", "", "last"]);
    assert_eq!(
        read_line(&mut input).unwrap_err().to_string(),
        "standard input ended before there was a password"
    );
}
