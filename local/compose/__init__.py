"""The stack of ``make up`` in containers: what ``docker-compose.localstack.yml`` runs inside of them."""
