use std::time::Duration;

use super::*;
use crate::raft::testing::env;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).unwrap()
}

#[tokio::test]
async fn a_hash_verifies_its_password_only_and_says_its_cost() {
    let directory = tempfile::tempdir().unwrap();
    let env = env(&directory);
    let deadline = env.now() + PATIENCE;
    let passwords = Passwords::new(env, Cost::Cheap);
    let hash = passwords.hash(password("correct horse"), deadline).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    assert_ne!(hash, passwords.hash(password("correct horse"), deadline).await.unwrap(), "the salt is fresh");
    assert_eq!(passwords.verify(password("correct horse"), hash.clone(), deadline).await, Ok(true));
    assert_eq!(passwords.verify(password("battery"), hash, deadline).await, Ok(false));
    let broken = passwords.verify(password("battery"), "hash".to_owned(), deadline).await;
    assert!(matches!(broken, Err(PasswordFault::Argon2(_))), "{broken:?}");
}

#[tokio::test]
async fn a_hash_of_another_cost_still_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let env = env(&directory);
    let deadline = env.now() + PATIENCE;
    let hash = Passwords::new(env.clone(), Cost::Default).hash(password("x"), deadline).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(Passwords::new(env, Cost::Cheap).verify(password("x"), hash, deadline).await, Ok(true));
}

#[tokio::test]
async fn who_gets_no_turn_in_time_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let env = env(&directory);
    let passwords = Passwords::new(env.clone(), Cost::Cheap);
    let all = u32::try_from(CONCURRENT_MAX).unwrap();
    let turns = passwords.running.clone().acquire_many_owned(all).await.unwrap();
    let soon = env.now() + Duration::from_millis(10);
    assert_eq!(passwords.hash(password("x"), soon).await, Err(PasswordFault::Overloaded));
    drop(turns);
    passwords.hash(password("x"), env.now() + PATIENCE).await.unwrap();

    passwords.waiting.forget_permits(WAITING_MAX);
    let full = passwords.hash(password("x"), env.now() + PATIENCE).await;
    assert_eq!(full, Err(PasswordFault::Overloaded));
}

#[test]
fn a_password_is_neither_shown_nor_unlimited() {
    assert_eq!(format!("{:?}", password("secret")), "Password(..)");
    assert!(Password::new(String::new()).is_none());
    assert!(Password::new("x".repeat(PASSWORD_BYTES_MAX + 1)).is_none());
    for cost in [Cost::Default, Cost::Cheap] {
        assert_eq!(cost.to_string().parse(), Ok(cost));
    }
    assert!("free".parse::<Cost>().is_err());
}
