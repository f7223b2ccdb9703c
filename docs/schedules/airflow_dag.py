"""An Airflow DAG that labels each day's clips, and past days where they are missing."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="clipmill_daily",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=True,
    # one run at a time writes a data set
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
) as dag:
    BashOperator(
        task_id="label",
        # ds is the day of the run (of Airflow 3), and {date-1} in the spec the day before it
        bash_command="clipmill run /etc/clipmill/daily.toml --date {{ ds }} --allow-empty --wait --log-format json",
    )
