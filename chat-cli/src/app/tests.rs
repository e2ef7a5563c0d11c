//! Ends that no command brings about.

use super::*;

#[test]
fn a_panic_is_a_bug_of_ours() {
    assert_eq!(or_bug(|| panic!("on purpose")), Exit::Bug);
    assert_eq!(or_bug(|| Exit::Refused), Exit::Refused);
}
