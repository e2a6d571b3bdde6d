//! Who is let in, and what it says when it is not.

use crate::shop::{READER, Shop, USERS, Users};
use config::Tls;
use engine::ports::PortError;
use std::process::Command;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_wrong_password_and_a_lacking_one_are_one_sentence_each_without_the_password() {
    let Some(mut shop) = Shop::open(&[]).await else { return };
    let refused = shop.look_as(&Users("not the password")).await.unwrap_err();
    assert!(matches!(refused, PortError::Denied { .. }), "{refused:?}");
    assert!(refused.to_string().contains("correct the secret"), "{refused}");
    assert!(!format!("{refused:?}").contains("not the password"), "a secret is shown: {refused:?}");
    shop.run::<()>(redis::cmd("ACL").arg("SETUSER").arg("default").arg("resetpass").arg(">p")).await;
    shop.cache().read_secret = None;
    let refused = shop.look().await.unwrap_err();
    assert!(refused.to_string().contains("name a secret with username and password in read_secret"), "{refused}");
}

#[tokio::test]
async fn what_a_user_may_not_is_missing_with_the_command_that_grants_it() {
    let Some(shop) = Shop::open(&[]).await else { return };
    shop.run::<()>(&crate::shop::set("cart:1", 10, None)).await;
    let rule = |rule: &'static str| {
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg(READER.0).arg(rule);
        command
    };
    for (lacking, granted) in [
        ("-config|get", "ACL SETUSER <user> +config|get"),
        ("-slowlog|get", "ACL SETUSER <user> +slowlog|get"),
        ("-memory|usage", "ACL SETUSER <user> +scan +type"),
        ("-scan", "ACL SETUSER <user> +scan +type"),
        ("resetkeys", "~*"),
    ] {
        shop.admit().await;
        shop.run::<()>(&rule(lacking)).await;
        let look = shop.look().await.unwrap();
        let missing: Vec<String> = look.missing().into_iter().map(|(_, why)| why.to_string()).collect();
        assert!(missing.len() == 1 && missing[0].contains(granted), "{lacking}: {missing:?}");
    }
    shop.admit().await;
    shop.run::<()>(&rule("-info")).await;
    let refused = shop.look().await.unwrap_err();
    assert!(refused.to_string().contains("ACL SETUSER <user> +info"), "{refused}");
    shop.run::<()>(&rule("off")).await;
    assert!(matches!(shop.look().await.unwrap_err(), PortError::Denied { .. }));
}

#[tokio::test]
async fn a_server_that_is_gone_full_or_silent_may_come_back() {
    let Some(mut shop) = Shop::open(&[]).await else { return };
    shop.run::<()>(redis::cmd("CONFIG").arg("SET").arg("maxclients").arg(1)).await;
    let kept = loop {
        // The connection that set the limit may still count.
        if let Ok(Ok(client)) =
            tokio::time::timeout(std::time::Duration::from_secs(1), tokio::spawn(first(shop.server.port()))).await
            && let Some(client) = client
        {
            break client;
        }
    };
    let full = shop.look().await.unwrap_err();
    // The server says so and hangs up: which of both arrives first is chance.
    let is_told = matches!(full, PortError::Throttled { .. }) || full.to_string().contains("maxclients");
    assert!(full.may_pass() && is_told, "{full:?}");
    drop(kept);
    shop.server.kill();
    let gone = shop.look().await.unwrap_err();
    assert!(
        matches!(gone, PortError::Unknown { .. }) && gone.to_string().contains("nothing listens there"),
        "{gone:?}"
    );
    shop.cache().host = "no-such-host.invalid".to_owned();
    let unknown = shop.look().await.unwrap_err();
    assert!(unknown.may_pass() && unknown.to_string().contains("check host"), "{unknown}");
}

async fn first(port: u16) -> Option<redis::aio::MultiplexedConnection> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut client = client.get_multiplexed_async_connection().await.ok()?;
    redis::cmd("PING").query_async::<()>(&mut client).await.ok()?;
    Some(client)
}

#[tokio::test]
async fn a_server_that_hangs_ends_with_its_time_out() {
    let Some(shop) = Shop::open(&[]).await else { return };
    shop.server.signal("STOP");
    let late = shop.look().await.unwrap_err();
    shop.server.signal("CONT");
    assert!(late.may_pass() && late.to_string().contains("within 5 s"), "{late}");
}

#[tokio::test]
async fn fault_a_server_that_dies_at_any_byte_of_its_answers_is_one_sentence() {
    let Some(mut shop) = Shop::open(&[]).await else { return };
    for number in 0..200 {
        shop.run::<()>(&crate::shop::set(&format!("cart:{number}"), 10, None)).await;
    }
    let backend = shop.server.port();
    let mut broken = 0;
    // What a look takes is some 30,000 bytes.
    for cut in [0, 1, 3, 4, 5, 9, 60, 900, 3_000, 6_000, 9_000, 12_000, 15_000, 20_000] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        shop.cache().port = listener.local_addr().unwrap().port();
        let between = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", backend)).await.unwrap();
            let ((mut from_client, mut to_client), (from_server, mut to_server)) = (client.split(), server.split());
            let mut some = tokio::io::AsyncReadExt::take(from_server, cut);
            // Whichever ends first ends both.
            tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                _ = tokio::io::copy(&mut some, &mut to_client) => {}
            }
        });
        if let Err(error) = shop.look().await {
            broken += 1;
            assert!(
                matches!(error, PortError::Unknown { .. }) && error.to_string().contains("the connection was cut"),
                "{cut}: {error}"
            );
        }
        between.abort();
    }
    assert!(broken >= 10, "{broken} looks broke");
}

#[tokio::test]
async fn what_is_no_redis_is_told_as_such() {
    let Some(mut shop) = Shop::open(&[]).await else { return };
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "\0\u{1}\u{2}"] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        shop.cache().port = listener.local_addr().unwrap().port();
        let other = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let error = shop.look().await.unwrap_err();
        assert!(
            matches!(error, PortError::Rejected { .. }) && error.to_string().contains("no Redis"),
            "{answer:?}: {error}"
        );
        other.abort();
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_and_taken_once_its_authority_is_named() {
    let directory = std::env::temp_dir().join(format!("maintainer-redis-certificate-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let openssl = |arguments: &str| {
        let done =
            Command::new("openssl").args(arguments.split(' ')).current_dir(&directory).output().expect("openssl runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("{new} -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
    std::fs::write(directory.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(&format!("{new} -subj /CN=localhost -keyout key.pem -out request.pem"));
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out certificate.pem",
    );
    let path = |name: &str| directory.join(name).display().to_string();
    let tls = testkit::postgres::free_port();
    let (port, key, certificate, ca) = (tls.to_string(), path("key.pem"), path("certificate.pem"), path("ca.pem"));
    let settings = [
        "--tls-port",
        &port,
        "--tls-key-file",
        &key,
        "--tls-cert-file",
        &certificate,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "no",
    ];
    let opened = Shop::open(&settings).await;
    let pem = std::fs::read_to_string(directory.join("ca.pem")).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let Some(mut shop) = opened else { return };
    let plain = shop.server.port();
    (shop.cache().tls, shop.cache().port, shop.cache().host) = (Tls::Verify, tls, "localhost".to_owned());
    let refused = shop.look().await.unwrap_err();
    assert!(matches!(refused, PortError::Rejected { .. }), "{refused:?}");
    assert!(refused.to_string().contains("name its authority in ca_pem"), "{refused}");
    shop.cache().ca_pem = Some(pem);
    assert_eq!(shop.look_as(&USERS).await.unwrap().missing(), []);
    shop.cache().port = plain;
    let no_tls = shop.look().await.unwrap_err();
    assert!(no_tls.to_string().contains("speaks no TLS"), "{no_tls}");
    (shop.cache().tls, shop.cache().port, shop.cache().host) = (Tls::Off, tls, "127.0.0.1".to_owned());
    let other_way = shop.look().await.unwrap_err();
    assert!(other_way.to_string().contains("TLS"), "{other_way}");
}
