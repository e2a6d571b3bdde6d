//! A real Postgres with the orders of an application, and its pages, which ask it all the time. What they measure is what the model takes for
//! the time of a query.

use super::StudioError;
use super::planted;
use crate::cloud::Cloud;
use crate::scenario::Postgres;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use testkit::postgres::{OWNER, PostgresServer, READER, SHOP};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

/// Name of the secret of the user that reads.
pub const READ_SECRET: &str = "maintainer/read/orders";
/// Name of the secret of the user that owns the tables.
pub const CHANGE_SECRET: &str = "maintainer/change/orders";
/// Name of the database.
const DATABASE: &str = "shop";
/// Between two pages.
const PAUSE: Duration = Duration::from_millis(30);
/// Queries of one page that take as long as the one that is measured.
const OF_A_PAGE: f64 = 2.0;

/// The database with its traffic.
#[derive(Debug)]
pub struct Orders {
    owner: Client,
    index_lost_at_min: Option<f64>,
    taken: Arc<Mutex<(f64, f64)>>,
    traffic: JoinHandle<()>,
    // Dropped last: it stops the server.
    _server: PostgresServer,
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.traffic.abort();
    }
}

impl Orders {
    /// Starts a server on the port of the scenario, fills it, puts its users into the secrets, and lets pages ask.
    ///
    /// # Errors
    /// When the database or the cloud refuses.
    pub async fn begin(cloud: &Cloud, app: &str, setup: &Postgres) -> Result<Self, StudioError> {
        let server = PostgresServer::start_on(setup.port, app, &[]);
        let owner = server.database(DATABASE).await;
        owner
            .batch_execute(&format!(
                "CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id int NOT NULL, total numeric NOT NULL, note text); \
                 INSERT INTO orders (customer_id, total, note) SELECT 1 + floor(5000 * random() ^ 3)::int, 9.5, repeat('n', 60) \
                   FROM generate_series(1, {}); \
                 CREATE INDEX orders_customer ON orders (customer_id)",
                setup.orders
            ))
            .await?;
        owner.batch_execute("VACUUM ANALYZE orders").await?;
        owner.batch_execute("CREATE ROLE planted LOGIN").await?;
        for (name, (user, password)) in [(READ_SECRET, READER), (CHANGE_SECRET, OWNER)] {
            let secret = serde_json::json!({"username": user, "password": password}).to_string();
            match cloud.secretsmanager().create_secret().name(name).secret_string(secret).send().await {
                // Another application's database has the same users.
                Err(error) if error.as_service_error().is_some_and(CreateSecretError::is_resource_exists_exception) => {
                }
                made => drop(made.map_err(StudioError::call("CreateSecret", name))?),
            }
        }
        let client = server.session(SHOP, DATABASE).await;
        let taken = Arc::new(Mutex::new((0.0, 0.0)));
        let traffic = tokio::spawn(pages(client, Arc::clone(&taken)));
        Ok(Self { owner, index_lost_at_min: setup.index_lost_at_min, taken, traffic, _server: server })
    }

    /// One minute: the release that drops the index, when it is its time; and what a page's queries took since the last minute.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn minute(&mut self, minute: f64) -> Result<Option<f64>, StudioError> {
        if self.index_lost_at_min.is_some_and(|at| minute >= at) {
            self.index_lost_at_min = None;
            self.owner.batch_execute("DROP INDEX orders_customer").await?;
        }
        for statement in planted::STATEMENTS {
            self.owner.batch_execute(statement).await?;
        }
        let (pages, ms) = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((pages > 0.0).then(|| (OF_A_PAGE * ms / pages).max(1.0)))
    }
}

/// Pages that look for the orders of a customer and take a new one, until the database goes away.
async fn pages(client: Client, taken: Arc<Mutex<(f64, f64)>>) {
    let mut customer = 7;
    loop {
        customer = 1 + (customer * 31 + 17) % 4_999;
        let begun = Instant::now();
        if client.query("SELECT id, total FROM orders WHERE customer_id = $1", &[&customer]).await.is_err() {
            return;
        }
        {
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.0 += 1.0;
            taken.1 += begun.elapsed().as_secs_f64() * 1_000.0;
        }
        let new = client.execute("INSERT INTO orders (customer_id, total) VALUES ($1, 1)", &[&customer]).await;
        if new.is_err() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether orders are found by their customer over an index, and no unfinished one is left.
///
/// # Errors
/// When the database does not answer.
pub async fn is_indexed(port: u16) -> Result<bool, tokio_postgres::Error> {
    let (user, password) = OWNER;
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user(user).password(password).dbname(DATABASE);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let row = client
        .query_one(
            "SELECT coalesce(bool_or(i.indisvalid AND a.attname = 'customer_id'), false) AND bool_and(i.indisvalid) \
             FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indrelid = 'orders'::regclass",
            &[],
        )
        .await?;
    row.try_get(0)
}
